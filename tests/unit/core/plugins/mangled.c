/* The symbol of a C++ function that is not extern "C". */
void _Z18segue_plugin_queryv (void);

__attribute__ ((visibility ("default"))) void
_Z18segue_plugin_queryv (void)
{
}
