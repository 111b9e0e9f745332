"""What people ask of what is kept about them: copies, erasure, and the end of an account."""
