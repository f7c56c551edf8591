"""The wire: signed JSON over HTTP between requesters, gateway and miners."""
