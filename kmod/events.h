/* SPDX-License-Identifier: GPL-2.0 */
/* The tracepoint mailwall:verdict. For trace.c, behind trace.h; all others take that one alone. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM mailwall

#if !defined(_MW_EVENTS_H) || defined(TRACE_HEADER_MULTI_READ)
#define _MW_EVENTS_H

#include <linux/tracepoint.h>

#define MW_NO_REASON 255

/* clang-format off */
TRACE_EVENT_FN(
	verdict,

	TP_PROTO(const struct sk_buff *skb, const struct mw_judged *judged),

	TP_ARGS(skb, judged),

	TP_STRUCT__entry(
		__field(const void *, skbaddr)
		__field(u8, verdict)
		__field(u8, direction)
		__field(u8, reason)
		__field(u8, behind)
		__field(u8, flags)
		__field(u16, port)
		__field(int, in)
		__field(int, out)
		__array(u8, source, sizeof(struct sockaddr_in6))
		__array(u8, target, sizeof(struct sockaddr_in6))
	),

	TP_fast_assign(
		__entry->skbaddr = skb;
		__entry->verdict = judged->denied ? 1 + judged->audit : 0;
		__entry->direction = judged->direction;
		__entry->reason = judged->denied ? judged->reason : MW_NO_REASON;
		__entry->behind = judged->behind;
		__entry->flags = judged->flags;
		__entry->port = judged->port;
		__entry->in = judged->in;
		__entry->out = judged->out;
		memcpy(__entry->source, &judged->source, sizeof(struct sockaddr_in6));
		memcpy(__entry->target, &judged->target, sizeof(struct sockaddr_in6));
	),

	TP_printk("%s %s %s gateway=%s row=%u source=%pISpc target=%pISpc flags=0x%02x in=%d out=%d skbaddr=%p",
		  __print_symbolic(__entry->verdict, { 0, "allow" }, { 1, "deny" },
				   { 2, "would-deny" }),
		  __print_symbolic(__entry->direction, { MAILWALL_IN, "in" },
				   { MAILWALL_OUT, "out" }),
		  __print_symbolic(__entry->reason, { MAILWALL_MALFORMED, "malformed" },
				   { MAILWALL_FLAGS, "flags" }, { MAILWALL_PEER, "peer" },
				   { MAILWALL_NO_CONNECTION, "no-connection" },
				   { MAILWALL_CLOSED, "closed" }, { MW_NO_REASON, "-" }),
		  __entry->behind ? "behind" : "this", __entry->port, __entry->source,
		  __entry->target, __entry->flags, __entry->in, __entry->out,
		  __entry->skbaddr),

	mw_trace_start, mw_trace_stop
);
/* clang-format on */

#endif /* _MW_EVENTS_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE events
#include <trace/define_trace.h>
