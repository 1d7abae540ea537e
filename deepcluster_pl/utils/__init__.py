"""The ground floor: atomic files, locks, processes, ranges, draws, image layouts."""
