# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ewapa_global_optspecs
    string join \n h/help V/version
end

function __fish_ewapa_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ewapa_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ewapa_using_subcommand
    set -l cmd (__fish_ewapa_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ewapa -n "__fish_ewapa_needs_command" -s h -l help -d 'Print help'
complete -c ewapa -n "__fish_ewapa_needs_command" -s V -l version -d 'Print version'
complete -c ewapa -n "__fish_ewapa_needs_command" -f -a "check" -d 'Show all errors of scripts, without running them'
complete -c ewapa -n "__fish_ewapa_needs_command" -f -a "fmt" -d 'Format scripts'
complete -c ewapa -n "__fish_ewapa_needs_command" -f -a "explain" -d 'Explain an error by its code, such as E0203; without a code, list them all'
complete -c ewapa -n "__fish_ewapa_needs_command" -f -a "list" -d 'List the bundled scripts, or what a probe stands for'
complete -c ewapa -n "__fish_ewapa_needs_command" -f -a "symbols" -d 'Show which WASI functions of a runtime\'s binary can be probed, and where'
complete -c ewapa -n "__fish_ewapa_needs_command" -f -a "bench" -d 'Run workloads on runtimes at several scales, with and without probes, and keep what each run took'
complete -c ewapa -n "__fish_ewapa_needs_command" -f -a "report" -d 'Show what the results of experiments say: tables, plots, and what single runtimes do otherwise'
complete -c ewapa -n "__fish_ewapa_needs_command" -f -a "diff" -d 'Compare the results of two experiments, or of two runtimes'
complete -c ewapa -n "__fish_ewapa_needs_command" -f -a "doctor" -d 'Check what this kernel and these rights allow'
complete -c ewapa -n "__fish_ewapa_needs_command" -f -a "demo" -d 'Run the script fd_write_latency on a small runtime that is built in'
complete -c ewapa -n "__fish_ewapa_needs_command" -f -a "completions" -d 'Print what a shell needs to complete command lines'
complete -c ewapa -n "__fish_ewapa_needs_command" -f -a "man" -d 'Write the manual pages'
complete -c ewapa -n "__fish_ewapa_needs_command" -f -a "guest" -d 'Run a module on the small runtime that is built in'
complete -c ewapa -n "__fish_ewapa_needs_command" -f -a "script" -d 'Runs a script on a command or on running processes'
complete -c ewapa -n "__fish_ewapa_using_subcommand check" -l catalogue -d 'Read descriptions of runtimes (*.toml) from this folder, besides the bundled ones and those in ~/.config/ewapa/catalogue; may be given several times' -r -f -a "(__fish_complete_directories)"
complete -c ewapa -n "__fish_ewapa_using_subcommand check" -s q -l quiet -d 'Say nothing of scripts that are good'
complete -c ewapa -n "__fish_ewapa_using_subcommand check" -s h -l help -d 'Print help'
complete -c ewapa -n "__fish_ewapa_using_subcommand fmt" -l check -d 'Change nothing; exit code 1 if a script is not formatted'
complete -c ewapa -n "__fish_ewapa_using_subcommand fmt" -s h -l help -d 'Print help'
complete -c ewapa -n "__fish_ewapa_using_subcommand explain" -s h -l help -d 'Print help'
complete -c ewapa -n "__fish_ewapa_using_subcommand list" -l binary -d 'Only the functions that this runtime\'s binary or library has' -r -F
complete -c ewapa -n "__fish_ewapa_using_subcommand list" -l catalogue -d 'Read descriptions of runtimes (*.toml) from this folder, besides the bundled ones and those in ~/.config/ewapa/catalogue; may be given several times' -r -f -a "(__fish_complete_directories)"
complete -c ewapa -n "__fish_ewapa_using_subcommand list" -s v -l verbose -d 'Show arguments and fields and their types; with a binary also where functions are'
complete -c ewapa -n "__fish_ewapa_using_subcommand list" -s h -l help -d 'Print help'
complete -c ewapa -n "__fish_ewapa_using_subcommand symbols" -l catalogue -d 'Read descriptions of runtimes (*.toml) from this folder, besides the bundled ones and those in ~/.config/ewapa/catalogue; may be given several times' -r -f -a "(__fish_complete_directories)"
complete -c ewapa -n "__fish_ewapa_using_subcommand symbols" -l explain -d 'Also say where the symbols come from, and where else they were looked for'
complete -c ewapa -n "__fish_ewapa_using_subcommand symbols" -s h -l help -d 'Print help'
complete -c ewapa -n "__fish_ewapa_using_subcommand bench" -s o -l output -d 'Write the results to this file, which must not exist; default: ewapa-bench-SECONDS.jsonl' -r -F
complete -c ewapa -n "__fish_ewapa_using_subcommand bench" -l resume -d 'Go on with an experiment that was interrupted: make the runs that are not in this file yet' -r -F
complete -c ewapa -n "__fish_ewapa_using_subcommand bench" -l runtimes -d 'Run these runtimes only' -r
complete -c ewapa -n "__fish_ewapa_using_subcommand bench" -l workloads -d 'Run these workloads only' -r
complete -c ewapa -n "__fish_ewapa_using_subcommand bench" -l scales -d 'Run at these scales only' -r
complete -c ewapa -n "__fish_ewapa_using_subcommand bench" -l repetitions -d 'Run each combination so often' -r
complete -c ewapa -n "__fish_ewapa_using_subcommand bench" -l seed -d 'Shuffle the order of runs by this number' -r
complete -c ewapa -n "__fish_ewapa_using_subcommand bench" -s h -l help -d 'Print help'
complete -c ewapa -n "__fish_ewapa_using_subcommand report" -s f -l format -d 'How the report is written' -r -f -a "table\t'Aligned text'
md\t'Markdown'
csv\t'Comma-separated values: a record for each number'
html\t'One page with plots that needs nothing else, not even a network'"
complete -c ewapa -n "__fish_ewapa_using_subcommand report" -s o -l output -d 'Write the report to a file instead of standard output' -r -F
complete -c ewapa -n "__fish_ewapa_using_subcommand report" -l anomalies -d 'Show only in what single runtimes depart from the others by more than noise; the HTML page shows it in any case'
complete -c ewapa -n "__fish_ewapa_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ewapa -n "__fish_ewapa_using_subcommand diff" -l fail-over -d 'End with exit code 3 if the second side surely has more than so much above the first, as `10%`: the difference is real, and even the near end of its interval is over the limit' -r
complete -c ewapa -n "__fish_ewapa_using_subcommand diff" -l metric -d 'Compare only these metrics, as CSV names them' -r
complete -c ewapa -n "__fish_ewapa_using_subcommand diff" -s f -l format -d 'How the differences are written; CSV has all of them' -r -f -a "table\t'Aligned text'
md\t'Markdown'
csv\t'Comma-separated values: a record for each comparison'"
complete -c ewapa -n "__fish_ewapa_using_subcommand diff" -s o -l output -d 'Write the differences to a file instead of standard output' -r -F
complete -c ewapa -n "__fish_ewapa_using_subcommand diff" -l all -d 'Show all comparisons, also those that find no real difference'
complete -c ewapa -n "__fish_ewapa_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ewapa -n "__fish_ewapa_using_subcommand doctor" -l catalogue -d 'Read descriptions of runtimes (*.toml) from this folder, besides the bundled ones and those in ~/.config/ewapa/catalogue; may be given several times' -r -f -a "(__fish_complete_directories)"
complete -c ewapa -n "__fish_ewapa_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c ewapa -n "__fish_ewapa_using_subcommand demo" -s h -l help -d 'Print help'
complete -c ewapa -n "__fish_ewapa_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ewapa -n "__fish_ewapa_using_subcommand man" -s h -l help -d 'Print help'
complete -c ewapa -n "__fish_ewapa_using_subcommand guest" -l dir -d 'The directory that the guest is given as its descriptor 3; default: none' -r -F
complete -c ewapa -n "__fish_ewapa_using_subcommand guest" -l discard -d 'Send the guest\'s standard output to /dev/null'
complete -c ewapa -n "__fish_ewapa_using_subcommand guest" -s h -l help -d 'Print help'
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -s e -l execute -d 'Run this text; `ewapa -e PROGRAM` is short for `ewapa script -e PROGRAM`' -r
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -s p -l pid -d 'Trace this process and its children; may be given several times' -r
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -s d -l duration -d 'End the run after so many seconds; a command is told to end (SIGTERM)' -r
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -s i -l interval -d 'Print all tables and maps each time that so many seconds have passed' -r
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -l user -d 'Start the command as this user, by name or number; default: who called sudo, else who runs ewapa' -r
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -s o -l output -d 'Write the tables to a file; default: standard error with a command, else standard output' -r -F
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -s f -l format -d 'How results are written; default: what the script says, else `table`' -r -f -a "table\t'Aligned text'
json\t'One JSON object a line'
csv\t'Comma-separated values'
md\t'Markdown'"
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -l emit -d 'Print a stage of the compilation and stop' -r -f -a "ast\t'What was parsed'
plan\t'What will be probed, kept and printed'
asm\t'The eBPF instructions'"
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -l catalogue -d 'Read descriptions of runtimes (*.toml) from this folder, besides the bundled ones and those in ~/.config/ewapa/catalogue; may be given several times' -r -f -a "(__fish_complete_directories)"
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -l attach -d 'Attach by this mechanism instead of the fastest one' -r -f -a "session\t'One link and one program for entry and return of all functions (Linux 6.13)'
multi\t'One link for all entries and one for all returns (Linux 6.6)'
perf\t'A perf event for each entry and each return'"
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -s c -l cmd -d 'Start this command, given as one text, and trace it and its children: quotes as in a shell, and no variables or globs' -r
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -s T -l timestamps -d 'Write the time of day before each line'
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -l unsafe -d 'Allow `system()` to run commands'
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -s q -l quiet -d 'Write tables only, without what stands above and below them'
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -l dry-run -d 'Compile the script and show what would be probed in the command\'s executable or in the processes, without loading or running anything'
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -l timings -d 'Print how long the stages took'
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -s v -l verbose -d 'Print more about what went wrong: the verifier\'s log'
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -l no-hold -d 'Without a command or -p: do not let programs that were never looked into wait at their start until they have been; the first calls of a runtime may then be missing'
complete -c ewapa -n "__fish_ewapa_using_subcommand script" -s h -l help -d 'Print help (see more with \'--help\')'
