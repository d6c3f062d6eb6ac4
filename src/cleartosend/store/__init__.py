"""What is kept: the schema, the engines that keep it, and one file of questions and answers for each noun."""
