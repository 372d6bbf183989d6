// SPDX-License-Identifier: GPL-2.0
/*
 * A module that makes one mistake of each kind that the debug kernel looks for, when it is
 * loaded with how=KIND: so that every alarm is heard once.
 */
#include <linux/delay.h>
#include <linux/kmemleak.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

static char *how = "";
module_param(how, charp, 0);

static DEFINE_MUTEX(one);
static DEFINE_MUTEX(other);
static DEFINE_SPINLOCK(spin);
static char __rcu *shared;
static refcount_t count = REFCOUNT_INIT(0);
static int zero;

static void leak(void)
{
	int n;

	/*
	 * Many: what is left in a register or on the stack hides the last, and in newer kernels
	 * what is left in a processor's sheaf of objects hides some dozens.
	 */
	for (n = 0; n < 500; n++)
		if (!kmalloc(100, GFP_KERNEL))
			return;
}

static void overrun(void)
{
	volatile char *area = kmalloc(100, GFP_KERNEL);

	if (area)
		area[100 + zero] = 1;
	kfree((void *)area);
}

static void overrun_vmalloc(void)
{
	volatile char *area = vmalloc(4000);

	if (area)
		area[4000 + zero] = 1;
	vfree((void *)area);
}

static void after_free(void)
{
	volatile char *area = kmalloc(100, GFP_KERNEL);

	kfree((void *)area);
	if (area)
		zero = area[10] & 0;
}

static void atomic(void)
{
	spin_lock(&spin);
	msleep(20);
	spin_unlock(&spin);
}

static void locks(void)
{
	mutex_lock(&one);
	mutex_lock(&other);
	mutex_unlock(&other);
	mutex_unlock(&one);

	mutex_lock(&other);
	mutex_lock(&one);
	mutex_unlock(&one);
	mutex_unlock(&other);
}

static void rcu(void)
{
	if (rcu_dereference(shared))
		zero = 0;
}

static void list(void)
{
	LIST_HEAD(head);
	struct list_head item;

	list_add(&item, &head);
	list_add(&item, &head);
}

static void on_time(struct timer_list *timer)
{
}

static void object(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, on_time, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

static void references(void)
{
	refcount_inc(&count);
}

static void shift(void)
{
	zero = (1 << (64 + zero)) & 0;
}

static void fault(void)
{
	WARN_ON(1);
}

/* Two processors, of which one writes what the other reads. */
static int both;

static int writes(void *unused)
{
	while (!kthread_should_stop()) {
		both = (both + 1) & 0xffff;
		cond_resched();
	}
	return 0;
}

static void race(void)
{
	struct task_struct *other = kthread_run(writes, NULL, "alarm");
	unsigned long end = jiffies + 2 * HZ;

	if (IS_ERR(other))
		return;
	while (time_before(jiffies, end)) {
		zero = both < 0;
		cond_resched();
	}
	kthread_stop(other);
}

static const struct {
	const char *how;
	void (*make)(void);
} mistakes[] = {
	{ "leak", leak },
	{ "overrun", overrun },
	{ "overrun-vmalloc", overrun_vmalloc },
	{ "after-free", after_free },
	{ "atomic", atomic },
	{ "locks", locks },
	{ "rcu", rcu },
	{ "list", list },
	{ "object", object },
	{ "references", references },
	{ "shift", shift },
	{ "warning", fault },
	{ "race", race },
};

static int __init alarms_init(void)
{
	size_t n;

	for (n = 0; n < ARRAY_SIZE(mistakes); n++) {
		if (strcmp(how, mistakes[n].how))
			continue;
		mistakes[n].make();
		return 0;
	}
	return strcmp(how, "none") ? -EINVAL : 0;
}

static void __exit alarms_exit(void)
{
}

module_init(alarms_init);
module_exit(alarms_exit);
MODULE_DESCRIPTION("mailwall's tests: mistakes, one of each kind");
MODULE_LICENSE("GPL");
