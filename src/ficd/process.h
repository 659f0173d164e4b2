/* process: what the system knows of this one. Private to this layer. */
#ifndef FIC_FICD_PROCESS_INTERNAL_H
#define FIC_FICD_PROCESS_INTERNAL_H

#include <stdint.h>

/* Each is 0 where the system does not tell. */
int64_t process_resident_bytes(void);
int64_t process_cpu_us(void); /* of user and system */
int64_t process_open_fds(void);

#endif
