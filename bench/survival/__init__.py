"""Kill the parts of a server while it trades at a simulated broker; nothing may differ after."""
