"""The border between the harness and plugins: what a call into one changes in the process is put back."""
