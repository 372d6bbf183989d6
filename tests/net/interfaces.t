#!/bin/bash
# sysfs and ioctls: what they take, refuse and tell, to whom, in 32 bits too.
set -e
cd "$(dirname "$0")/../.."
tests/deps gcc libc6-dev linux-libc-dev >&2
mkdir -p build
gcc -m32 -O1 -static -nostdlib -ffreestanding -fno-stack-protector -fno-pie -no-pie -Wall -Werror \
	-idirafter include/uapi -idirafter "/usr/include/$(gcc -print-multiarch)" \
	-o build/abi32 tests/net/src/abi32.c
exec tests/net/boot interfaces --payload build/abi32=/mailwall/abi32
