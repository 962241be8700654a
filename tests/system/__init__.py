"""The whole system under any sequence of events: cameras, boards, server, faults and users' actions."""
