"""Where images come from and go to: one module for each of skopeo's transport names."""
