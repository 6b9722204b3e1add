"""Leaderboards of pairwise outcomes: Bradley-Terry, Elo, control of length and style."""

from truing.judging.leaderboard.board import Board, Row, bt_leaderboard
from truing.judging.leaderboard.elo import elo
from truing.judging.leaderboard.games import Games, games_of
from truing.judging.leaderboard.length_controlled import LengthControlled, length_controlled

__all__ = ["Board", "Games", "LengthControlled", "Row", "bt_leaderboard", "elo", "games_of", "length_controlled"]
