"""The overview that `deepcluster --help` prints."""

from __future__ import annotations

from deepcluster_pl.config.recipes import groups, options

_COMMANDS = """\
  run        cluster data (the default: the word may be left out)
  predict    clusters of new samples, by a finished run
  export     a finished run's model for other programs
  organize   put a photo library's pictures into folders of their groups
  table      mean and spread over seeds of a sweep's recipes
  choose-k   compare numbers of clusters that a sweep tried
  completion completion of words in bash and zsh"""
_EXAMPLES = """\
  deepcluster                                          DEC on the bundled digits
  deepcluster method=ae_kmeans seed=1                  another recipe, another seed
  deepcluster data=mnist data.root=~/data trainer.accelerator=gpu
  deepcluster data.path=table.csv data.label_column=class n_clusters=3
  deepcluster -m method=kmeans,ae_kmeans,dec seed=0,1  a sweep of six runs
  deepcluster pretrained=auto method=dec               reuse an autoencoder of equal settings
  deepcluster resume=outputs/digits/dec/<time>         resume after an interruption; a sweep's folder too
  deepcluster method=dec --cfg job                     show the composed config
  deepcluster predict run=<run folder> data.path=new.csv
  tensorboard --logdir outputs                         curves of every run"""
_KEYS = "  seed  n_clusters  pretrained  resume  ckpt_path  baselines ...   all of them: --cfg job"
_FLAGS = """\
  -m  sweep over values separated by commas       --cfg job  show the config, run nothing
  --config-dir <folder>  recipes of your own      --version  -h, --help"""


def overview() -> str:
    """Return the subcommands, the groups with their options, and commands that work."""
    groups_and_options = []
    for group, default in groups().items():
        names = [f"{name}*" if name == default else name for name in options(group)]
        groups_and_options.append(f"  {group:<30} {'  '.join(names) or '-'}")
    sections = [
        "Cluster data that nobody labeled.",
        "usage: deepcluster [run] [group=option] [key=value] [-m]\n"
        "       deepcluster <subcommand> --help\n"
        "       (python -m deepcluster_pl is the same command)",
        f"subcommands\n{_COMMANDS}",
        "\n".join(["groups (* = default)", *groups_and_options]),
        f"keys\n{_KEYS}",
        f"flags\n{_FLAGS}",
        f"examples\n{_EXAMPLES}",
    ]
    return "\n\n".join(sections)
