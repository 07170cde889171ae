#!/bin/bash
# Turns an Amazon Linux 2023 instance into a NAT.
# Source: https://docs.aws.amazon.com/vpc/latest/userguide/work-with-nat-instances.html
set -euo pipefail

until dnf install -y iptables-services; do sleep 5; done

echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/90-nat.conf
sysctl -p /etc/sysctl.d/90-nat.conf

interface=$(ip -o -4 route show default | awk '{ print $5; exit }')
iptables -t nat -A POSTROUTING -o "$interface" -j MASQUERADE
iptables -F FORWARD
iptables-save > /etc/sysconfig/iptables
systemctl enable --now iptables
