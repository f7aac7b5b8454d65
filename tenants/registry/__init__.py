"""The control plane's memory: which tenants, pods, hosts and people there are."""
