#!/bin/bash
# A container that changes its own policy does not keep its host waiting, nor fill its log.
# Two processors: with one of them synchronize_rcu() waits for nothing on 5.10, and nobody for a writer.
exec "$(dirname "$0")/boot" neighbours --smp 2
