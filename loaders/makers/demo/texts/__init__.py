"""Words of the demo study: scenarios with slots, replies in the manner of each training mix, judges' remarks."""
