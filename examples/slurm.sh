#!/bin/bash
# One large picture on two nodes with four cards each: sbatch examples/slurm.sh photo.jpg style.jpg
# The nodes share the folder. If the job ends early: nst resume out.checkpoint in place of stylize …
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --time=04:00:00

first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)

srun torchrun --nnodes "$SLURM_NNODES" --nproc-per-node 4 --max-restarts 3 \
    --rdzv-id "$SLURM_JOB_ID" --rdzv-backend c10d --rdzv-endpoint "$first:29500" \
    -m nst_core stylize "$1" "$2" --output out.png --checkpoint out.checkpoint --size 8192
