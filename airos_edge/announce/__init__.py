"""How the box is seen: by others in the network, by systemd, the journal and Prometheus."""
