"""How often services may be restarted or redeployed: rules, counting, the page's list, the file for prompts."""
