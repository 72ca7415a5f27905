"""What a conversation is. Standard library and numpy only: no socket, no model, no thread.

Read in this order: audio, ports, events (the words); utterance, endpoint, ear (listening); flow,
hear, segment, floor, history, respond (one turn); session (a conversation); hub (who may watch).
"""
