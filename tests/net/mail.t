#!/bin/bash
# Real mail servers and clients on each port, in and out.
exec "$(dirname "$0")/boot" postal --uml
