"""Other people's formats in, scenario files out. The running mock never loads this."""
