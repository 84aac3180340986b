return counted
