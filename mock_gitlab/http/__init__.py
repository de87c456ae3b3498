"""What happens to every request, whatever it asks: address, faults, connections."""
