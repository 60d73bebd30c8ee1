"""How the page is served: its queue and runs, bounds, what visitors leave, what travels and how."""
