"""What a conversation is. Standard library and numpy only: no socket, no model, no thread.

Read in this order: audio, ports, events (the words); utterance, endpoint, ear, hear (listening);
flow, floor, history, reply, respond, replies (answering); turn (one question, from its first
sound to its answer), session (a conversation); announce, hub (who may speak unasked, who may watch).
"""
