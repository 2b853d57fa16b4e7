"""What learns: the contracts of learners, compressors, backbones and front ends, the source tasks, and the meta-trainer."""
