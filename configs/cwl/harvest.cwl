#!/usr/bin/env cwl-runner
# Links of a list of UIDs as one CSV file.
#   NCBI_EMAIL=you@example.org cwltool --preserve-environment NCBI_EMAIL \
#       --preserve-environment NCBI_API_KEY configs/cwl/harvest.cwl \
#       --ids pmids.txt --dbfrom pubmed --db gene
cwlVersion: v1.2
class: CommandLineTool
label: Links between NCBI records
requirements:
  ShellCommandRequirement: {}
  NetworkAccess:
    networkAccess: true
baseCommand: []
# Exit code 3: complete, but some UIDs have no answer; the manifest counts them.
arguments:
  - shellQuote: false
    valueFrom: >-
      harvester run --ids "$(inputs.ids.path)" --dbfrom "$(inputs.dbfrom)" --db "$(inputs.db)"
      -o harvest -q || [ $? -eq 3 ] &&
      harvester export harvest --to csv links.csv
inputs:
  ids:
    type: File
    doc: UIDs, one per line
  dbfrom:
    type: string
    doc: database of the UIDs
  db:
    type: string
    doc: database that the links lead to
outputs:
  links:
    type: File
    outputBinding:
      glob: links.csv
  manifest:
    type: File
    outputBinding:
      glob: harvest/manifest.json
