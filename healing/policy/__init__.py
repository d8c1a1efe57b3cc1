"""What may be done: intent, the diff gate, autonomy. Pure decisions; nothing here changes the world."""
