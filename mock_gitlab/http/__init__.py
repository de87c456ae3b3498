"""What happens to every request, whatever it asks for: address, faults, connections."""
