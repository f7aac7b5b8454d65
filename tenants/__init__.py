"""The control plane: registry, scope, provisioning, upgrades, identity."""
