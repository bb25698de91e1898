"""What ``schedule`` of mintage.yaml says, written for the scheduler of a team. There is no scheduler of our own."""
