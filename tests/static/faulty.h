/* SPDX-License-Identifier: GPL-2.0 */
/* A struct with a hole, which 32 bits have elsewhere. Nothing is made of it. */
struct mailwall_faulty {
	char one;
	unsigned long long other;
};
