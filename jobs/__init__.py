"""What runs beside the portal: the recurring jobs, and the launcher that starts it all together."""
