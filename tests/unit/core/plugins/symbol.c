/* A shared object that is not a plugin. */
extern int not_a_plugin;
int not_a_plugin = 1;
