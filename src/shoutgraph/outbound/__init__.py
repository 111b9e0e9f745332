"""What goes out to addresses that strangers chose."""
