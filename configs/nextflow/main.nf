// Shards of a harvest, merged and exported. This file is checked as text only; no test runs it.
//   nextflow run configs/nextflow/main.nf --ids pmids.txt --shards 4
//
// Each shard has its folder outside of Nextflow's work folders, so that a task that is
// started again goes on where it was. Exit code 3: complete, but some UIDs have no answer.

nextflow.enable.dsl = 2

params.ids = 'pmids.txt'
params.dbfrom = 'pubmed'
params.db = 'gene'
params.shards = 4
params.keep = "${launchDir}/shards"

process SHARD {
    maxForks params.shards
    errorStrategy 'retry'
    maxRetries 3

    input:
    path ids
    val n

    output:
    val "${params.keep}/${n}"

    script:
    """
    harvester run --ids ${ids} --dbfrom ${params.dbfrom} --db ${params.db} \\
        --shard ${n}/${params.shards} -o ${params.keep}/${n} -q \\
        || [ \$? -eq 3 ]
    """
}

process MERGE {
    publishDir launchDir, mode: 'copy'

    input:
    val shards

    output:
    path 'links.csv'

    script:
    """
    harvester merge merged ${shards.join(' ')} || [ \$? -eq 3 ]
    harvester export merged --to csv links.csv
    """
}

workflow {
    SHARD(file(params.ids, checkIfExists: true), Channel.of(1..params.shards))
    MERGE(SHARD.out.collect())
}
