"""Project templates. No code imports them; the command line copies their files."""
