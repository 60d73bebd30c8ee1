"""A whole dataset: the exact sums of any number of pictures, by any number of workers.

The sums add over pictures, workers and machines, so that a dataset is learned from shard by shard:

settings    what is asked of every shard, and the name of a shard's sums under it
totals      sums that lose nothing, however many are added
planes      a pair of pictures as planes, and which of their pixels count
sums        a shard -> its sums: a pure function, and the file that they are kept in
store       that folder, here or anywhere that fsspec reaches; a file is there whole or not at all
engine      a pool of processes over the shards, at home; cluster: DataTrove's executors, beyond
merging     the shards' sums added up in one order, whoever made them
outliers    pictures whose own sums contradict the kernel of all
fitting     a run: what is left, what has been learned, when to stop
report      what a run leaves: JSON and one page
"""
