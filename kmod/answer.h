/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What would be done with a segment that is only described, and for which gateways. Pure:
 * no lock, no allocation. Compiled into the module, and into the command's tests.
 */
#ifndef _MW_ANSWER_H
#define _MW_ANSWER_H

#include "policy.h"

/**
 * struct mw_asked - what a question is answered from, besides the policy
 * @in: index of the device that IP has it come in by, 0 if none is known
 * @out: index of the device that IP has it leave by, likewise
 * @in_port: where it comes in by a port of a bridge, which is @in then, index of the port
 * @out_port: likewise where it leaves by one
 * @connected: is the connection there that an inbound segment belongs to? Of this host, or
 *             of a gateway @behind it that is on device @ifindex
 * @may_note: mw_may_note(), with the index of the device
 * @context: handed to both
 */
struct mw_asked {
	int in;
	int out;
	int in_port;
	int out_port;
	bool (*connected)(const void *context, bool behind, int ifindex);
	bool (*may_note)(const void *context, bool bridged, int ifindex);
	const void *context;
};

/**
 * mw_answer() - answer a question
 * @policy: policy, of any mode
 * @asked: what else is known; NULL where nothing is judged, whoever it is from
 * @q: question, whose members are valid; the answer is filled in, but for the generation
 *     and the mode
 *
 * Context: RCU read side if the policy is a published one.
 */
void mw_answer(const struct mw_policy *policy, const struct mw_asked *asked,
	       struct mailwall_explain *q);

#endif /* _MW_ANSWER_H */
