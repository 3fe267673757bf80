#include "actors/keep.h"
__attribute__((weak)) int tri_supervisor_notice(struct tr_self *self, void *state, const struct tri_keep_notice *n) { (void)self;(void)state;(void)n; return TR_OK; }
__attribute__((weak)) int tri_supervisor_told(struct tr_self *self, void *state, bool kill) { (void)state; return tr_exit(self, kill ? TR_KILLED : TR_SHUTDOWN); }
