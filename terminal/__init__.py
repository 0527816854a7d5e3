"""What a person sees while a command runs; knows no other room."""
