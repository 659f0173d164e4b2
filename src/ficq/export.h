/* export: a whole resource, or what a question finds, for other programs. */
#ifndef FIC_FICQ_EXPORT_H
#define FIC_FICQ_EXPORT_H

#include "app.h"

int export_command(struct app *a);

#endif
