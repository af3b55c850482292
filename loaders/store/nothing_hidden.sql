-- What is hidden from a cursor that may see all: nothing. `hidden.sql` has the same names with the rules.
CREATE OR REPLACE MACRO sees_all() AS true;
CREATE OR REPLACE MACRO is_hidden(run) AS false;
CREATE OR REPLACE MACRO any_hidden(runs) AS false;
CREATE OR REPLACE MACRO names_hidden(told) AS false;
CREATE OR REPLACE MACRO any_names_hidden(texts) AS false;
CREATE OR REPLACE MACRO is_after_hidden(one, n) AS false;
CREATE OR REPLACE MACRO is_hidden_eval(id) AS false;
CREATE OR REPLACE MACRO is_hidden_sample(id) AS false;
CREATE OR REPLACE MACRO is_hidden_source(id) AS false;
CREATE OR REPLACE MACRO seen_roots(roots) AS roots;
CREATE OR REPLACE MACRO hidden_logs() AS TABLE SELECT NULL::VARCHAR AS eval_key WHERE false;
CREATE OR REPLACE MACRO hidden_names() AS TABLE SELECT NULL::VARCHAR AS name WHERE false;
CREATE OR REPLACE MACRO hidden_probes() AS TABLE SELECT NULL::VARCHAR AS probe_id WHERE false;
CREATE OR REPLACE MACRO hidden_replies() AS TABLE SELECT NULL::BIGINT AS reply_id WHERE false;
CREATE OR REPLACE MACRO hidden_threads() AS TABLE SELECT NULL::VARCHAR AS thread_id WHERE false;
CREATE OR REPLACE MACRO hidden_judgings() AS TABLE SELECT NULL::VARCHAR AS judging_id WHERE false;
