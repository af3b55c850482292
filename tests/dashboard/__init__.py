"""The dashboard's tests, in folders as its own."""

from tests import charts_checked as charts_checked  # before any chart is made
