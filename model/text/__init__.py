"""Arabic text: normalisation with offset maps, words and clitics, the lexicon and word statistics."""
