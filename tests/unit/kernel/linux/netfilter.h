/* libc's first: both sides have struct in_addr */
#include <arpa/inet.h>
#include_next <linux/netfilter.h>
#include "kernel.h"
