"""Recording: run a stage that declares nothing, see what it reads and writes, and propose what to declare.

``record`` runs the command on a private copy of the dirty tree; ``propose`` says what to write into mintage.yaml;
``insert_keys`` writes it. See docs/spec/recording.md for what is seen, and how, on which system.
"""
