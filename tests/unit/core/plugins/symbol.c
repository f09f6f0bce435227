/* A shared object that is no plugin. */
extern int not_a_plugin;
int not_a_plugin = 1;
